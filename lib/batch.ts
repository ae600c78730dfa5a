// Public exports of r1-native/batch: runs many rows through a model.
export { runBatch } from "./batch/run-batch.js";
export { runBatchFile } from "./batch/run-file.js";
export type { BatchSummary } from "./batch/run-file.js";
export type { ModelSource } from "./batch/model-source.js";
export type { BatchOptions, RetriedEnd, Verifier } from "./batch/config.js";
export type { BatchFileOptions, OutputFormat } from "./batch/file-config.js";
export type { BatchOutcome } from "./batch/runner.js";
export type { BatchProgress } from "./batch/progress.js";
export type { BatchRecord, ErrorRecord } from "./batch/record.js";
export type { BatchRow, RowAsk, TableFormat } from "./batch/row.js";
export type { RowMap } from "./batch/parse-row.js";
export type { Shard } from "./batch/identity.js";

export { exportBatch } from "./batch/export.js";
export type { ExportOptions, ExportOrder, ExportSummary } from "./batch/export.js";
export type { ChatExport } from "./batch/export-chat.js";
export { mergeBatches } from "./batch/merge.js";
export type { MergeBatchOptions, MergeDifference, MergeSummary } from "./batch/merge.js";
export { batchStats } from "./batch/stats.js";
export type { BatchStats, LengthBucket } from "./batch/stats.js";
export { lengthPlot } from "./batch/plot.js";
export type { OpenAIBatchLine, OpenAIChatBody, OpenAITextBody } from "./batch/openai-line.js";
