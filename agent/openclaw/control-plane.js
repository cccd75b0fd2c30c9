// One control plane over HTTP: decide, wait for people, redeem, conclude. No dependencies.

import { randomBytes } from "node:crypto";

const ASK_PAUSES = [100, 400];
const WAIT_SECONDS = 25;
const ANSWER_MS = 30_000;

const PASSING = new Set(["unavailable", "ledger_unavailable", "storage_full", "rate_limited"]);

export class Denied extends Error {}

/** No answer, or none that says anything about the call: asking again with the same action id is safe. */
class Unanswered extends Error {}

/** A UUIDv7 (RFC 9562 section 5.7): 48 bits of milliseconds, then random bits. */
export function newId() {
  const bytes = Buffer.concat([Buffer.alloc(6), randomBytes(10)]);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class ControlPlane {
  constructor({ url, apiKey, deadlineSeconds = 540 }) {
    this.url = url?.replace(/\/+$/, "");
    this.apiKey = apiKey;
    this.deadlineMs = deadlineSeconds * 1000;
  }

  /** The arguments to run with. Throws Denied in every other case, also when there is no answer. */
  async authorise(call, signal) {
    if (!this.url || !this.apiKey) {
      throw new Denied("MUTX_URL and MUTX_API_KEY are not set for the process that runs OpenClaw");
    }
    const end = Date.now() + this.deadlineMs;
    let answer = await this.#persist("decide", call, signal);
    const waited = answer.decision === "defer";
    while (answer.decision === "defer") {
      const left = end - Date.now();
      if (left <= 0) throw new Denied("nobody answered before the deadline");
      answer = await this.#wait(call.action_id, Math.min(WAIT_SECONDS, left / 1000), answer, signal);
    }
    if (answer.action_id !== call.action_id) throw new Denied("the answer is about another action");
    if (answer.decision !== "allow" && answer.decision !== "modify") {
      throw new Denied(answer.reason || "the policy does not allow it");
    }
    if (!answer.permit) throw new Denied("the action was allowed before and its permit is spent or expired");
    const args = answer.decision === "modify" ? answer.modified_args : call.tool_args;
    if (args === null || typeof args !== "object") throw new Denied("the answer changes arguments and does not say to what");
    if (waited) await this.#ask("redeem", { permit: answer.permit, tool_args: args }, signal);
    return { args, modified: answer.decision === "modify" };
  }

  async conclude(outcome) {
    await this.#persist("conclude", outcome);
  }

  /** The same action id makes asking again after a lost answer safe. */
  async #persist(verb, body, signal) {
    for (const ms of ASK_PAUSES) {
      try {
        return await this.#ask(verb, body, signal);
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error;
        await pause(ms);
      }
    }
    return await this.#ask(verb, body, signal);
  }

  async #ask(verb, body, signal) {
    return parsed(await this.#fetch(`/v1/governance/${verb}`, { method: "POST", body: JSON.stringify(body) }, signal));
  }

  async #wait(actionId, seconds, latest, signal) {
    try {
      const path = `/v1/governance/actions/${encodeURIComponent(actionId)}/wait?timeout=${seconds.toFixed(3)}`;
      const text = await this.#fetch(path, {}, signal, seconds * 1000 + 10_000);
      for (const line of text.split("\n")) {
        if (line.startsWith("data:")) latest = parsed(line.slice(5));
      }
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      await pause(1000); // a control plane that restarts meanwhile is waited for
    }
    return latest;
  }

  /** The answer's text. Throws Unanswered, Denied, or the signal's own reason once OpenClaw has given the call up. */
  async #fetch(path, options, signal, ms = ANSWER_MS) {
    const limits = [AbortSignal.timeout(ms), ...(signal ? [signal] : [])];
    const settings = {
      ...options,
      redirect: "error",
      signal: AbortSignal.any(limits),
      headers: { "content-type": "application/json", authorization: `Bearer ${this.apiKey}` },
    };
    const [response, text] = await fetch(this.url + path, settings)
      .then(async (answer) => [answer, await answer.text()])
      .catch((error) => {
        signal?.throwIfAborted();
        throw new Unanswered(`the control plane cannot be reached: ${error.cause?.message ?? error.message}`);
      });
    if (response.ok) return text;
    const problem = problemIn(text);
    if (!problem.code || PASSING.has(problem.code)) {
      throw new Unanswered(`the control plane cannot answer: HTTP ${response.status} ${problem.message ?? ""}`.trim());
    }
    throw new Denied(`${problem.message} (${problem.code})`);
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Unanswered(`the control plane's answer was cut short: ${error.message}`);
  }
}

/** What a refusal says; something between here and the control plane may have refused in words of its own. */
function problemIn(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return {};
  }
}
