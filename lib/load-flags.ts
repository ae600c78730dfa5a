// Public exports of r1-native/load-flags: the table of load options, without the library around it.
// The program makes its flags of it, and its help and completion must not load more.
export { LOAD_OPTION_GROUPS } from "./weights/load-table/table.js";
export type { LoadFlag, LoadKind, LoadRow } from "./weights/load-table/row.js";
