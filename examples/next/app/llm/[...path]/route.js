// R1 below /llm of a Next app.
import { loadModel } from "r1-native";
import { createApp } from "r1-native/server";

export const runtime = "nodejs";
export const dynamic = "force-dynamic";
export const maxDuration = 3600;

// Next evaluates this file again when it changes; the model stays.
globalThis.r1 ??= createApp({ r1: () => loadModel({ sequences: 4 }) }, { basePath: "/llm" });
const answer = (request) => globalThis.r1.fetch(request);

export { answer as GET, answer as POST, answer as DELETE };
