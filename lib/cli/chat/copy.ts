// Puts a text into the clipboard of the terminal, which may be on another machine; pure.

/** Terminals drop longer sequences. Unit: bytes of the text. */
const LONGEST = 74_000;

/**
 * The terminal's sequence that sets the clipboard (OSC 52); undefined for a text that is too long.
 * Inside tmux the sequence is wrapped, so that it reaches the terminal outside.
 */
export function copySequence(text: string, env: NodeJS.ProcessEnv): string | undefined {
  const bytes = Buffer.from(text);
  if (bytes.length > LONGEST) return undefined;
  const sequence = `\u001b]52;c;${bytes.toString("base64")}\u0007`;
  const isInTmux = (env["TMUX"] ?? "") !== "";
  return isInTmux ? `\u001bPtmux;\u001b${sequence}\u001b\\${sequence}` : sequence;
}
