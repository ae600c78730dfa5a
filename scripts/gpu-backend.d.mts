// Types of gpu-backend.mjs for the tests that use it.
export function softwareDriver(): string;
export function vulkanBackend(options?: { log?: (text: string) => void }): Promise<string>;
