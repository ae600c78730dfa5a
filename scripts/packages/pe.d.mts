export function importsOf(bytes: Buffer): string[];
