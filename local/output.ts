// Standard output and error. Their reader may leave at any time (`npm start | head`, a log collector that dies), the
// terminal may hang up, the disk may be full: each costs lines, and never the service.

export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
}
