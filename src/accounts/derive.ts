// Keys derived from a master key by HKDF. Each purpose has words of its own, so one derived key says nothing of another.

export async function derive(masterKey: string, purpose: string, length: number): Promise<Uint8Array> {
  const material = await crypto.subtle.importKey("raw", encode(masterKey), "HKDF", false, ["deriveBits"]);
  const algorithm = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encode(purpose) };
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, material, length * 8));
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
