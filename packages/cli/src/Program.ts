/**
 * The `slate` command of this process: its words, its streams, its exit code.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Cli from "./Cli.ts"
import * as Screen from "./Screen.ts"

Cli.run(process.argv.slice(2)).pipe(
  Effect.provide(Layer.mergeAll(NodeServices.layer, Screen.layer)),
  // Problems are told by the command itself.
  NodeRuntime.runMain({ disableErrorReporting: true })
)
