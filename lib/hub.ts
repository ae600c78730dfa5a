// Public exports of r1-native/hub: finds and downloads models on the Hugging Face Hub.

export { downloadModel } from "./hub/download.js";
export type { DownloadedFile, DownloadResult } from "./hub/download.js";
export type { DownloadOptions } from "./hub/download-options.js";
export type { DownloadProgress } from "./hub/meter.js";
export { downloadReference, listModels, resolveModel } from "./hub/resolve.js";
export type { ListedModel, ListOptions } from "./hub/resolve.js";
export type { RetryNotice } from "./hub/retry.js";
export { isHubReference, referenceOfPage } from "./hub/reference.js";
