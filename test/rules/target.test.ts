import { describe, expect, it } from "vitest";
import { checkTarget, MAX_URL_LENGTH, type TargetRules } from "../../src/domain/target.ts";

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
  it.each([
    ["loopback", "127.0.0.1"],
    ["all of loopback", "127.255.255.254"],
    ["loopback with a dot behind", "127.0.0.1."],
    ["loopback in decimal", "2130706433"],
    ["loopback in octal", "0177.0.0.1"],
    ["loopback in one octal number", "017700000001"],
    ["loopback in hex", "0x7f.0.0.1"],
    ["loopback in one hex number", "0x7f000001"],
    ["loopback in capital hex", "0X7F000001"],
    ["loopback in two parts", "127.1"],
    ["loopback in three parts", "127.0.1"],
    ["loopback in mixed spelling", "0x7f.0.01"],
    ["loopback in wide digits", "１２７.０.０.１"],
    ["loopback with wide dots", "127。0。0。1"],
    ["loopback in percent signs", "%31%32%37.0.0.1"],
    ["this host", "0.0.0.0"],
    ["this host, short", "0"],
    ["this network", "0.1.2.3"],
    ["private, 10/8", "10.0.0.1"],
    ["private, 172.16/12, first", "172.16.0.0"],
    ["private, 172.16/12, last", "172.31.255.255"],
    ["private, 192.168/16", "192.168.0.1"],
    ["private in decimal", "3232235521"],
    ["link-local", "169.254.0.1"],
    ["the metadata service", "169.254.169.254"],
    ["the metadata service in hex", "0xa9fea9fe"],
    ["carrier-grade NAT, first", "100.64.0.0"],
    ["carrier-grade NAT, last", "100.127.255.255"],
    ["benchmarks", "198.18.0.1"],
    ["protocol assignments", "192.0.0.1"],
    ["documentation 1", "192.0.2.1"],
    ["documentation 2", "198.51.100.1"],
    ["documentation 3", "203.0.113.1"],
    ["the 6to4 relay", "192.88.99.1"],
    ["multicast", "224.0.0.1"],
    ["reserved", "240.0.0.1"],
    ["broadcast", "255.255.255.255"],
    ["Azure's host", "168.63.129.16"],
    ["Azure's host in one number", "2822734096"],
    ["Azure's host in hex", "0xa83f8110"],
    ["Alibaba's metadata service", "100.100.100.200"],
    ["Oracle's metadata service", "192.0.0.192"],
    ["Tencent's metadata service", "169.254.0.23"],
    ["IBM's infrastructure, first", "161.26.0.0"],
    ["IBM's infrastructure, last", "161.26.255.255"],
    ["IBM's endpoints, first", "166.8.0.0"],
    ["IBM's endpoints, last", "166.11.255.255"],
  ])("%s: %s", (_, host) => {
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
  it.each([
    ["unspecified", "::"],
    ["loopback", "::1"],
    ["loopback in full", "0:0:0:0:0:0:0:1"],
    ["mapped loopback", "::ffff:127.0.0.1"],
    ["mapped loopback in hex", "::ffff:7f00:1"],
    ["mapped, and public at that", "::ffff:1.1.1.1"],
    ["translated", "::ffff:0:127.0.0.1"],
    ["compatible", "::127.0.0.1"],
    ["NAT64", "64:ff9b::7f00:1"],
    ["NAT64 of a network's own", "64:ff9b:1::7f00:1"],
    ["6to4", "2002:7f00:1::"],
    ["Teredo", "2001:0:7f00:1::"],
    ["unique local, fc", "fc00::1"],
    ["unique local, fd", "fd12:3456:789a::1"],
    ["the metadata service", "fd00:ec2::254"],
    ["Google's metadata service", "fd20:ce::254"],
    ["Oracle's metadata service", "fd00:c1::a9fe:a9fe"],
    ["Azure's host, mapped", "::ffff:168.63.129.16"],
    ["Azure's host behind NAT64", "64:ff9b::a83f:8110"],
    ["link-local", "fe80::1"],
    ["link-local, last", "febf::1"],
    ["site-local", "fec0::1"],
    ["multicast", "ff02::1"],
    ["discard", "100::1"],
    ["documentation", "2001:db8::1"],
    ["new documentation", "3fff::1"],
    ["ORCHID", "2001:10::1"],
    ["ORCHID 2", "2001:20::1"],
    ["benchmarks", "2001:2::1"],
    ["segment routing", "5f00::1"],
    ["unassigned below", "1fff::1"],
    ["unassigned above", "4000::1"],
  ])("%s: %s", (_, host) => {
    expect(checkTarget(`https://[${host}]/`, PUBLIC)).toEqual(isRefused(NOT_PUBLIC));
  });

  it.each(["fe80::1%eth0", "fe80::1%25eth0"])("with a zone: %s", (host) => {
    expect(checkTarget(`https://[${host}]/`, PUBLIC)).toEqual(isRefused(NOT_A_URL));
  });
});

describe("a name that leads nowhere public is refused", () => {
  it.each([
    "localhost",
    "LOCALHOST",
    "localhost.",
    "localhost..",
    "ⓛocalhost",
    "%6c%6f%63alhost",
    "foo.localhost",
    "foo.localhost.",
    "printer.local",
    "printer.local.",
    "PRINTER.LOCAL",
    "metadata.google.internal",
    "internal",
    "host.docker.internal.",
    "localhost.localdomain",
    "router.home.arpa",
    "nas.lan",
    "wiki.corp",
    "www.intranet",
    "intranet",
    "example",
    "example.",
    "example.com..",
    "local",
    "kubernetes.default.svc",
    "Kubernetes.Default.SVC.",
    "kubernetes.default.svc.cluster.local",
    "kubernetes.default.ｓｖｃ",
    "api.test",
    "api.TEST.",
    "nas.home",
    "router.home.arpa.",
    "1.0.0.10.in-addr.arpa",
    "db.private",
    "db.mail",
    "vault.service.consul",
    "vm.novalocal",
    "vm.openstacklocal",
    "pc.workgroup",
    "some.invalid",
    "some.onion",
    "some.alt",
    "metadata.goog",
    "METADATA.GOOG.",
    "metadata.tencentyun.com",
    "metadata.azure.internal",
    "instance-data.ec2.internal",
    "a..b.com",
    ".example.com",
  ])("%s", (host) => {
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
