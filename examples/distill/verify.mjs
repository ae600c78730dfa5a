// A verifier of arithmetic: the last number of the answer is the one that the row expects. It runs
// in a process of its own, which is ended when a call takes too long.

export default function verify(row, { answer }) {
  const numbers = answer.replaceAll(",", "").match(/-?\d+(\.\d+)?/g) ?? [];
  return Number(numbers.at(-1)) === row.metadata.expected;
}
