// The table that a test of packages prints, one row a claim, with the closing line.
import { BuildError } from "../../scripts/build/process.mjs";

/** Width of a column, in characters. */
const WIDTH = 30;

/** Prints each row when it is decided. */
export class Table {
  #passed = 0;
  #failed = 0;

  /** Prints the heads of the columns that follow. */
  head(names) {
    this.#print(["", ""]);
    this.#print(names);
  }

  #print(cells) {
    console.log(
      cells
        .map((cell) => String(cell).padEnd(WIDTH))
        .join("  ")
        .trimEnd(),
    );
  }

  /**
   * Decides one row.
   *
   * @param work - Returns the cells between the row's name and its verdict, or throws.
   */
  async row(name, work) {
    try {
      const cells = [(await work()) ?? []].flat();
      this.#passed += 1;
      this.#print([name, ...cells, "passed"]);
    } catch (error) {
      this.#failed += 1;
      this.#print([name, "failed"]);
      console.log(error instanceof BuildError ? error.message : (error.stack ?? error));
    }
  }

  /** Prints the closing line, and sets the exit code. */
  close() {
    console.log(`\n${this.#passed} passed, ${this.#failed} failed`);
    if (this.#failed > 0 || this.#passed === 0) process.exitCode = 1;
  }
}
