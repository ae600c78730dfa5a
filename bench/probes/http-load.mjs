// The clients of the trial `serve`, in a process of their own beside the server's.
import { load } from "../core/http-load.mjs";

export const run = ({ base, clients, requests }) => load(base, clients, requests);
