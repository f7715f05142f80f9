// The content security policy of the two pages: nothing from elsewhere, nothing inline but their own style sheet, which is
// named by its digest.

const HOME = ["img-src 'self'"];
const REFERENCE = [...HOME, "script-src 'self'", "connect-src 'self'"];

export const homePolicy = (style: string): Promise<string> => policyOf(HOME, style);
export const referencePolicy = (style: string): Promise<string> => policyOf(REFERENCE, style);

/** A form is never sent by the browser: what was typed into it must not end in an address. */
async function policyOf(rules: readonly string[], style: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style)));
  const named = `style-src 'sha256-${btoa(String.fromCharCode(...digest))}'`;
  return [
    "default-src 'none'",
    ...rules,
    named,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
