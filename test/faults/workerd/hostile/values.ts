// What no honest client sends: values for any field, targets that lead inside, and texts that are almost JSON.

import type { Chance } from "../../harness/chance.ts";

/** JSON texts, because some of these cannot be said by a JavaScript value. */
const TEXTS: readonly string[] = [
  ...["null", "true", "false", "[]", "{}", '""', "0", "-0", "-1", "1.5", "1e308", "1e400", "9007199254740993"],
  ...["1e-400", "12345678901234567890", '"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\udc00\\ud800"', '"\\uffff"'],
  ...['"\u202e\u0007"', '"\\"; DROP TABLE jobs; --"', '"$\\u007bjndi:ldap://x}"', '"../../etc/passwd"', '"<script>"'],
  ...['"null"', '"undefined"', '"NaN"', '"2030-01-01"', '"9999-12-31T23:59:59Z"', '"0000-01-01T00:00:00Z"'],
  ...['"2031-06-30T23:59:60Z"', '"2031-02-30T00:00:00Z"', '"2031-01-01T00:00:00+99:99"', '"+275760-09-13T00:00:00Z"'],
  ...['{"__proto__":{"admin":true}}', '{"constructor":{"prototype":{}}}', '{"toString":1}', '{"a":1,"a":2}'],
  ...['{"length":99999999}', "[null,null]", '{"":""}', '{"\\u0000":"\\u0000"}', '{"\\ud800":"\\ud800"}'],
  ...[
    '{"a":1.0,"b":-0}',
    '{"2":9007199254740993,"1":1e400}',
    '{ "a" : 1 ,\n"a":[ 2,"\\u0041 " ] }',
    '{"a":"\\ud83d\\ude00"}',
  ],
  ...['{"then":{"then":1}}', '{"toJSON":"x"}', '{"value":1,"unit":"second"}', '{"value":1e9,"unit":"week"}'],
  ...['{"type":"pull"}', '{"type":"push"}', '{"type":"push","http":{}}', '{"type":"pull","queue":"unheard-of"}'],
];

/** Hosts and schemes that a push must not reach. */
const TARGETS: readonly string[] = [
  ...["http://example.com/", "ftp://example.com", "javascript:alert(1)", "file:///etc/passwd", "data:text/plain,x"],
  ...["https://127.1", "https://0x7f.1", "https://2130706433", "https://017700000001", "https://localhost./"],
  ...["https://[::1]/", "https://[::ffff:7f00:1]/", "https://[64:ff9b::a00:1]/", "https://[fe80::1%25eth0]/"],
  ...["https://169.254.169.254/latest", "https://metadata.google.internal", "https://100.64.0.1", "https://10.0.0.1"],
  ...["https://user:pass@example.com", "https://example.com:99999", "https://①②⑦.0.0.1", "https://127。0。0。1"],
  ...["https://chronos.test/v1/jobs", "https://", "https://.", "https://a..b", "//example.com", "https://exa mple.com"],
];

const HEADERS: readonly string[] = [
  ...['{"x":"a\\r\\nHost: evil"}', '{"x\\r\\ny":"1"}', '{"Host":"evil"}', '{"Content-Length":"0"}', '{"":"x"}'],
  ...['{"Transfer-Encoding":"chunked"}', '{"X-Chronos-Signature":"mine"}', '{"webhook-id":"mine"}', '{"x":1}'],
  ...['{"x":"\\u0000"}', '{"x":"ä"}', '{"x":"😀"}', '{"x:y":"z"}', '{"X-A":"1","x-a":"2"}', '["x"]', '{"ok":"yes"}'],
];

export function hostileText(chance: Chance): string {
  const kind = chance.between(0, 19);
  if (kind === 0) return `"${"x".repeat(chance.pick([255, 256, 300, 70_000]))}"`;
  if (kind === 1) return `"${"😀".repeat(chance.pick([255, 256, 20_000]))}"`;
  if (kind === 2) return nested(chance.pick([10, 190, 250, 5_000]), chance.pick(["[", '{"a":']));
  if (kind === 3) return `{${Array.from({ length: 60 }, (_, i) => `"h${i}":"v"`).join()}}`;
  if (kind === 4) return `{"text":"${"x".repeat(chance.pick([65_525, 65_526, 100_000]))}"}`;
  if (kind <= 6) return JSON.stringify(chance.pick(TARGETS));
  if (kind <= 8) return chance.pick(HEADERS);
  return chance.pick(TEXTS);
}

function nested(depth: number, open: string): string {
  return `${open.repeat(depth)}1${(open === "[" ? "]" : "}").repeat(depth)}`;
}

/** A text with some of its characters lost, doubled or swapped for others. */
export function garbled(text: string, chance: Chance): string {
  let garbled = text;
  for (let i = chance.between(1, 3); i > 0; i--) {
    const at = chance.between(0, garbled.length);
    const put = chance.pick(["", "\0", '"', "{", "}", ",", "\\", "\ufeff", "1e999", "\ud800", '"name":"twice",']);
    garbled = garbled.slice(0, at) + put + garbled.slice(at + chance.between(0, 2));
  }
  return garbled;
}

/** An id or another piece of a path or a query. */
export const hostilePiece = (chance: Chance): string =>
  chance.pick([
    ...["%00", "%ff", "%", "..", "%2e%2e%2f", "null", "undefined", "-1", "0", "%F0%9F%98%80", "a".repeat(5_000)],
    ...[
      "00000000-0000-0000-0000-000000000000",
      "00000000-0000-0000-0000-00000000000g",
      "FFFFFFFF-FFFF-4FFF-8FFF-FFFFFFFFFFFF",
    ],
    ...["' OR 1=1 --", "999999999999", "1e3", "%0d%0aX: y", "__proto__", "2031-01-01T00:00:00+01:00", "pending", "100"],
  ]);
