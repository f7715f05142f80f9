// The dashboard starts here.

import "./ui/page-styles.ts";
import "./ui/theme.ts";
import { render } from "preact";
import { followSession, openSession, takeSignInToken } from "./api/session.ts";
import { App, forgetAtEnd, keepTitle } from "./app/app.tsx";
import { followAddress } from "./app/router.ts";
import { listenForKeys } from "./keys/listen.ts";

// Before anything else: the token of a link must not stay in the address.
const token = takeSignInToken();

followAddress();
followSession();
keepTitle();
forgetAtEnd();
listenForKeys();
const root = document.getElementById("app");
if (root) render(<App />, root);
void openSession(token);
