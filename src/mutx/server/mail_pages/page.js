// What the links in our mails open. The token stands behind the #, which no browser sends to a server; it leaves this
// page only in the body of the request that the person asks for, and the address bar forgets it at once.
"use strict";

const password = (name, label, hint) => ({ name, label, type: "password", autocomplete: hint });

const PAGES = {
  "/verify-email": {
    title: "Verify your address",
    lead: "One click proves that this e-mail address is yours.",
    button: "Verify",
    fields: [],
    async run(token) {
      await post("/v1/auth/verify-email", { token });
      return "Your address is verified. You can sign in now.";
    },
  },
  "/reset-password": {
    title: "Set a new password",
    lead: "Every login of your account ends when the password changes.",
    button: "Set the password",
    fields: [password("first", "New password", "new-password"), password("second", "Once more", "new-password")],
    async run(token, { first, second }) {
      if (first !== second) throw new Error("The two passwords differ.");
      await post("/v1/auth/reset-password", { token, new_password: first });
      return "Your password is changed. Sign in with the new one.";
    },
  },
  "/accept-invitation": {
    title: "Join a workspace",
    lead: "Sign in with the address that was invited. Who signs in elsewhere enters the token of the mail in `mutx workspaces accept-invitation`.",
    button: "Sign in and join",
    fields: [{ name: "email", label: "E-mail", type: "email", autocomplete: "username" }, password("word", "Password", "current-password")],
    async run(token, { email, word }) {
      const signedIn = await post("/v1/auth/login", { email, password: word });
      const bearer = signedIn.access_token;
      try {
        const joined = await post("/v1/workspaces/invitations/accept", { token }, bearer);
        return `You are in ${joined.name}, as ${joined.role}.`;
      } finally {
        await post("/v1/auth/logout", { refresh_token: signedIn.refresh_token }, bearer).catch(() => {});
      }
    },
  },
};

async function post(path, body, bearer) {
  const headers = { "content-type": "application/json" };
  if (bearer) headers.authorization = `Bearer ${bearer}`;
  let answer;
  try {
    answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body), credentials: "omit" });
  } catch {
    throw new Error("The server cannot be reached. Try again in a moment.");
  }
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.message || `The server answered ${answer.status}.`);
  return said;
}

function show(page, token) {
  const at = (id) => document.getElementById(id);
  document.title = `${page.title} · MUTX`;
  at("title").textContent = page.title;
  at("lead").textContent = page.lead;
  at("go").textContent = page.button;
  const tell = (kind, text) => { at("said").dataset.kind = kind; at("said").textContent = text; };
  if (!token) return tell("error", "The link is not whole: open it from the mail, or enter the token as the mail says.");
  const inputs = page.fields.map(({ name, label, ...attributes }) => {
    const input = Object.assign(document.createElement("input"), { name, required: true, ...attributes });
    const frame = document.createElement("label");
    frame.append(label, input);
    at("fields").append(frame);
    return input;
  });
  at("form").hidden = false;
  at("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (inputs.some((input) => !input.value)) return tell("error", "Fill in every field.");
    at("go").disabled = true;
    tell("", "");
    try {
      tell("done", await page.run(token, Object.fromEntries(inputs.map(({ name, value }) => [name, value]))));
      at("form").hidden = true;
    } catch (error) {
      tell("error", error.message);
      at("go").disabled = false;
    }
  });
}

const token = new URLSearchParams(location.hash.slice(1)).get("token");
history.replaceState(null, "", location.pathname);
show(PAGES[location.pathname.replace(/\/$/, "")], token);
