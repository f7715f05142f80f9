import { describe, expect, it } from "vitest";
import { checkTarget, MAX_URL_LENGTH, type TargetRules } from "../../src/domain/target.ts";
import { FORBIDDEN_IPV4, FORBIDDEN_IPV6, FORBIDDEN_NAMES } from "../harness/forbidden-targets.ts";

const OWN = [
  "chronos.example.com",
  "büro.example.com",
  "dotted.example.com.",
  "jobs.example.com:443",
  "localhost:8787",
  "203.0.114.9",
];
const PUBLIC: TargetRules = { allowLocal: false, ownHosts: OWN };
const LOCAL: TargetRules = { allowLocal: true, ownHosts: OWN };

const NOT_PUBLIC = /public host/;
const NOT_A_URL = /absolute URL/;
const NOT_HTTPS = /https/;
const CREDENTIALS = /user name/;
const ITSELF = /this service itself/;

const isRefused = (reason: RegExp) => ({ ok: false, error: expect.stringMatching(reason) });

describe("a push may go to", () => {
  it.each([
    ["a public name", "https://example.com/hook?a=1", "https://example.com/hook?a=1"],
    ["any port", "https://example.com:8443/", "https://example.com:8443/"],
    ["a name with the root's dot", "https://example.com./", "https://example.com./"],
    ["a name in another script", "https://bücher.example/", "https://xn--bcher-kva.example/"],
    ["a name in punycode", "https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"],
    ["a name that only looks local", "https://localhost.example.com/", "https://localhost.example.com/"],
    ["a name that only ends like one", "https://mylocal.example/", "https://mylocal.example/"],
    ["a name that begins like an address", "https://10.0.0.1.example.com/", "https://10.0.0.1.example.com/"],
    ["its own name at a port that is not its own", "https://jobs.example.com:8443/", "https://jobs.example.com:8443/"],
    ["a name that only begins like a local one", "https://home.example.com/", "https://home.example.com/"],
    ["a name beside a metadata service's", "https://www.metadata.goog/", "https://www.metadata.goog/"],
    ["a blank in its path", "https://example.com/a b", "https://example.com/a%20b"],
    ["a name beside its own", "https://www.chronos.example.com/", "https://www.chronos.example.com/"],
    ["a public IPv4 address", "https://1.1.1.1/", "https://1.1.1.1/"],
    ["a public IPv4 address in one number", "https://16843009/", "https://1.1.1.1/"],
    ["a public IPv6 address", "https://[2606:4700:4700::1111]/", "https://[2606:4700:4700::1111]/"],
    ["the far half of the routed IPv6 addresses", "https://[3000::1]/", "https://[3000::1]/"],
  ])("%s", (_, url, href) => {
    const target = checkTarget(url, PUBLIC);
    expect(target.ok && target.value.href).toBe(href);
  });

  it("an address of up to 8,192 characters", () => {
    const url = (length: number) => "https://example.com/".padEnd(length, "a");
    expect(checkTarget(url(MAX_URL_LENGTH), PUBLIC).ok).toBe(true);
    expect(checkTarget(url(MAX_URL_LENGTH + 1), PUBLIC)).toEqual(isRefused(/8192/));
    const emoji = `https://example.com/${"😀".repeat(MAX_URL_LENGTH - 20)}`;
    expect([checkTarget(emoji, PUBLIC).ok, checkTarget(`${emoji}😀`, PUBLIC).ok]).toEqual([true, false]);
  });
});

describe("an IPv4 address that is not public is refused", () => {
  it.each(FORBIDDEN_IPV4)("%s: %s", (_, host) => {
    expect(checkTarget(`https://${host}/`, PUBLIC)).toEqual(isRefused(NOT_PUBLIC));
  });

  it.each([
    "172.15.255.255",
    "172.32.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "223.255.255.255",
    "168.63.129.15",
    "168.63.129.17",
    "161.25.255.255",
    "161.27.0.0",
    "166.7.255.255",
    "166.12.0.0",
  ])("its public neighbour is not: %s", (host) => {
    expect(checkTarget(`https://${host}/`, PUBLIC).ok).toBe(true);
  });
});

describe("an IPv6 address that is not public is refused", () => {
  it.each(FORBIDDEN_IPV6)("%s: %s", (_, host) => {
    expect(checkTarget(`https://[${host}]/`, PUBLIC)).toEqual(isRefused(NOT_PUBLIC));
  });

  it.each(["fe80::1%eth0", "fe80::1%25eth0"])("with a zone: %s", (host) => {
    expect(checkTarget(`https://[${host}]/`, PUBLIC)).toEqual(isRefused(NOT_A_URL));
  });
});

describe("a name that leads nowhere public is refused", () => {
  it.each(FORBIDDEN_NAMES)("%s", (host) => {
    expect(checkTarget(`https://${host}/`, PUBLIC)).toEqual(isRefused(NOT_PUBLIC));
  });
});

describe("the service itself is refused", () => {
  it.each([
    ["by its name", "https://chronos.example.com/v1/jobs"],
    ["in capitals", "https://CHRONOS.example.com/"],
    ["with the root's dot", "https://chronos.example.com./"],
    ["at another port, for its name is given without one", "https://chronos.example.com:8443/"],
    ["at the port that goes without saying", "https://jobs.example.com/"],
    ["by its address", "https://203.0.114.9/"],
    ["by its address in hex", "https://0xcb007209/"],
    ["by a name in another script", "https://BÜRO.example.com/"],
    ["by the same in punycode", "https://xn--bro-hoa.example.com/"],
    ["by a name that was given with the root's dot", "https://dotted.example.com/"],
  ])("%s", (_, url) => {
    expect(checkTarget(url, PUBLIC)).toEqual(isRefused(ITSELF));
  });

  it.each([
    "localhost",
    "LOCALHOST.",
    "chronos.localhost",
    "localhost.localdomain",
    "localhost6",
    "ip6-localhost",
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.255.255.254",
    "2130706433",
    "0x7f.1",
    "0177.0.0.1",
    "0.0.0.0",
    "0",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:0.0.0.0]",
  ])("under any name of this machine, at its own port: %s", (host) => {
    for (const own of ["127.0.0.1:8787", "localhost:8787", "[::1]:8787"]) {
      const rules: TargetRules = { allowLocal: true, ownHosts: [own] };
      expect(checkTarget(`http://${host}:8787/v1/jobs`, rules)).toEqual(isRefused(ITSELF));
      expect(checkTarget(`http://${host}:9000/jobs`, rules).ok).toBe(true);
    }
  });

  it("but not what is only named like this machine", () => {
    const rules: TargetRules = { allowLocal: true, ownHosts: ["127.0.0.1:8787"] };
    for (const host of ["localhost.example.com", "notlocalhost", "126.0.0.1", "128.0.0.1", "[::2]", "10.0.0.1"])
      expect(checkTarget(`http://${host}:8787/`, rules).ok).toBe(true);
  });

  it("in development too, at its own port", () => {
    expect(checkTarget("http://localhost:8787/", LOCAL)).toEqual(isRefused(ITSELF));
    expect(checkTarget("http://localhost:8788/", LOCAL).ok).toBe(true);
  });
});

describe("what is not a plain https URL is refused", () => {
  it.each([
    ["http", "http://example.com/", NOT_HTTPS],
    ["another scheme", "ftp://example.com/", NOT_HTTPS],
    ["no network at all", "data:text/plain,hello", NOT_HTTPS],
    ["a file", "file:///etc/passwd", NOT_HTTPS],
    ["a user", "https://user@example.com/", CREDENTIALS],
    ["a password", "https://:secret@example.com/", CREDENTIALS],
    ["an address dressed as a user", "https://example.com@127.0.0.1/", CREDENTIALS],
    ["a path alone", "/hook", NOT_A_URL],
    ["no scheme", "example.com", NOT_A_URL],
    ["no host", "https://", NOT_A_URL],
    ["a blank in the host", "https://exa mple.com/", NOT_A_URL],
    ["an address of too many parts", "https://1.2.3.4.5/", NOT_A_URL],
    ["an address out of range", "https://256.0.0.1/", NOT_A_URL],
    ["a port out of range", "https://example.com:65536/", NOT_A_URL],
    ["nothing", "", NOT_A_URL],
  ])("%s", (_, url, reason) => {
    expect(checkTarget(url, PUBLIC)).toEqual(isRefused(reason));
  });
});

describe("what the URL parser would leave out without a word is refused", () => {
  it.each([
    "https://exam\tple.com/",
    "https://example.com/a\nb",
    "https://example.com/a\r\nb",
    "https://example.com/?a=\tb",
    "\nhttps://example.com/",
    "https://example.com/\n",
    " https://example.com/",
    "https://example.com/ ",
    "https://example.com/\u0000",
    "\u001fhttps://example.com/",
    "https://example.com/a\u001fb",
  ])("%j", (url) => {
    expect(checkTarget(url, PUBLIC)).toEqual(isRefused(/tabs, line breaks or control characters/));
    expect(checkTarget(url, LOCAL).ok).toBe(false);
  });
});

describe("in development", () => {
  it.each([
    "http://example.com/",
    "http://localhost/",
    "https://127.0.0.1:3000/",
    "http://[::1]:3000/",
    "http://nas.lan/",
  ])("%s is allowed", (url) => {
    expect(checkTarget(url, LOCAL).ok).toBe(true);
  });

  it("the rest stays as it is", () => {
    expect(checkTarget("ftp://localhost/", LOCAL)).toEqual(isRefused(NOT_HTTPS));
    expect(checkTarget("http://user@localhost/", LOCAL)).toEqual(isRefused(CREDENTIALS));
  });
});
