// Why a request did not succeed, in words.
import { duration } from "./numbers.mjs";
import { problem, say } from "./words.mjs";

/** What an answer says in the reader's words; that there was none where it has no code. */
export const why = ({ code, told }) => (code === "" ? say("no_connection_short") : problem(code, duration(told?.retry_after_ms ?? 1000)));
