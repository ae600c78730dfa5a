// Public exports of r1-native/server: the HTTP server, for use inside a program or standalone.
export { createApp } from "./server/app.js";
export { toNodeHandler } from "./server/node/handler.js";
export { serve } from "./server/node/listen.js";
export type { RunningServer, ServeOptions } from "./server/node/listen.js";
export type { R1App } from "./server/app.js";
export type { ServerOptions, NamedKey } from "./server/options.js";
export type { ServerLimits } from "./server/limits.js";
export type { ServerLogger } from "./server/core/log.js";
export type { ModelSource } from "./server/core/models.js";
export type { AuxiliaryRule } from "./server/core/auxiliary.js";
