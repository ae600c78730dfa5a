// The shells that have a completion script; data only.

/** Their names, as `r1-native complete` takes them. */
export const SHELLS: readonly string[] = ["bash", "zsh", "fish", "powershell"];
