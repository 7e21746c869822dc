/**
 * The URL shortener as a command, with its links in a directory. Every command is
 * a process of its own: it opens the database, and leaves everything stored.
 *
 *     node examples/src/application/main.ts shorten https://example.org/a/long/way
 *     node examples/src/application/main.ts follow 000001
 *     node examples/src/application/main.ts list example.org
 */
import * as FileObjectStore from "@effect-slatedb/store-fs/FileObjectStore"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Argument, Command, Flag } from "effect/cli"
import * as ShortLinks from "./ShortLinks.ts"

const shorten = Command.make("shorten", { url: Argument.String("url") }, ({ url }) =>
  Effect.gen(function* () {
    const links = yield* ShortLinks.ShortLinks
    yield* Console.log(yield* links.shorten(url))
  })
).pipe(Command.withDescription("Give a URL a code"))

const follow = Command.make("follow", { code: Argument.String("code") }, ({ code }) =>
  Effect.gen(function* () {
    const links = yield* ShortLinks.ShortLinks
    yield* Console.log(yield* links.follow(code))
  })
).pipe(Command.withDescription("Show the URL of a code, and count the visit"))

const list = Command.make("list", { host: Argument.String("host") }, ({ host }) =>
  Effect.gen(function* () {
    const links = yield* ShortLinks.ShortLinks
    yield* Stream.runForEach(links.ofHost(host), ({ code, url }) =>
      Effect.flatMap(links.visits(code), (visits) => Console.log(`${code} ${visits} ${url}`))
    )
  })
).pipe(Command.withDescription("Show the links to a host with their visits"))

const root = Command.make("short-links").pipe(
  Command.withDescription("A URL shortener"),
  Command.withSharedFlags({
    data: Flag.String("data").pipe(
      Flag.withDescription("The directory to keep links in"),
      Flag.withDefault("short-links-data")
    )
  })
)

root.pipe(
  Command.withSubcommands([shorten, follow, list]),
  // Which store it is is decided here, from the command line: the service does not know.
  Command.provide(({ data }) => Layer.provide(ShortLinks.layer, FileObjectStore.layer({ root: data }))),
  Command.run({ version: "0.1.0" }),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain
)
