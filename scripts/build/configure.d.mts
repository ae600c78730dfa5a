/** What {@link configure} takes; the options of a build folder and where it is. */
export interface Configuration {
  readonly root: string;
  readonly out: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: (text: string) => void;
  /** CMake's name of the build type. */
  readonly config: string;
  readonly llamaDir: string;
  readonly tools: boolean;
  readonly nativeTests: boolean;
  readonly sanitize: string;
  readonly portable: boolean;
  readonly flags: readonly string[];
}

export function cmakeJs(...args: string[]): string[];

/** Configures the folder `out` if its configuration differs. */
export function configure(options: Configuration): Promise<object>;
