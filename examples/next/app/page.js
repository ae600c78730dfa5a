// The start page.
export default function Page() {
  return "R1 answers below /llm/v1";
}
