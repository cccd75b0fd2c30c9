// MUTX for OpenClaw: every tool call is decided before it runs, and its outcome is recorded.
// The hook fails closed: whatever breaks in here, and whatever takes too long, blocks the call.

import { ControlPlane, newId } from "./control-plane.js";

const HOOK_MS = 600_000; // the longest a hook may take; the deadline for people ends before it
const ERROR_LIMIT = 2000;
const RUNNING_LIMIT = 10_000;

/** JSON as a policy can read it: what has no JSON form is left out. */
const asJson = (value) => (value === undefined ? null : JSON.parse(JSON.stringify(value)));

export default {
  id: "mutx",
  name: "MUTX",
  description: "Has MUTX decide every tool call before it runs.",
  register(api) {
    const config = api.pluginConfig ?? {};
    const plane = new ControlPlane({
      url: config.url ?? process.env.MUTX_URL,
      apiKey: process.env.MUTX_API_KEY,
      deadlineSeconds: config.deadlineSeconds,
    });
    const agentId = config.agentId ?? process.env.MUTX_AGENT_ID;
    const running = new Map(); // tool call id -> { actionId, started }

    api.on(
      "before_tool_call",
      async (event, context) => {
        try {
          const call = {
            action_id: newId(),
            tool_name: event.toolName,
            tool_args: asJson(event.params ?? {}),
            agent_id: agentId ?? context.agentId ?? "openclaw",
            session_id: context.sessionId ?? context.sessionKey ?? "openclaw",
            trigger: "llm",
            runtime: "openclaw",
          };
          const permission = await plane.authorise(call, context.abortSignal);
          if (event.toolCallId) {
            if (running.size >= RUNNING_LIMIT) running.delete(running.keys().next().value);
            running.set(event.toolCallId, { actionId: call.action_id, started: Date.now() });
          }
          return permission.modified ? { params: permission.args } : undefined;
        } catch (error) {
          return { block: true, blockReason: `${event.toolName} was not run: ${error.message}` };
        }
      },
      { priority: -1000, timeoutMs: HOOK_MS }, // last, so that it decides what will be executed
    );

    api.on("after_tool_call", async (event) => {
      const known = running.get(event.toolCallId);
      if (!known) return;
      running.delete(event.toolCallId);
      const outcome = { action_id: known.actionId, duration_ms: Date.now() - known.started };
      const ended = event.error
        ? { status: "error", error: String(event.error).slice(0, ERROR_LIMIT) }
        : { status: "executed", result: asJson(event.result) };
      await plane.conclude({ ...outcome, ...ended });
    });
  },
};
