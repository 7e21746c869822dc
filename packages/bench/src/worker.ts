/**
 * The process of one engine. Takes commands from the harness, one at a time.
 */
import * as Engines from "./Engines.ts"
import * as Lifecycle from "./Lifecycle.ts"
import type { Command, Commands, Reply, Request } from "./Protocol.ts"
import * as Session from "./Session.ts"

let session: Session.Session | undefined

const assigned = (): Session.Session => {
  if (session === undefined) throw new Error("no engine is assigned to this process")
  return session
}

const handlers: {
  readonly [C in Command]: (input: Commands[C]["input"]) => Promise<Commands[C]["output"]>
} = {
  assign: async (assignment) => {
    session = await Engines.withEngine(assignment.engine, assignment.mode, (engine) => Session.make(engine, assignment))
    return session.description
  },
  load: async (options) => assigned().load(options),
  run: async (request) => assigned().run(request),
  lifecycle: async (task) =>
    Engines.withEngine(task.assignment.engine, task.assignment.mode, (engine) => Lifecycle.run(engine, task))
}

const answer = async <C extends Command>({ command, input }: Request<C>): Promise<Reply<C>> => {
  try {
    return { output: await handlers[command](input) }
  } catch (cause) {
    return { error: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) }
  }
}

process.on("message", (request: Request<Command>) => {
  void answer(request).then((reply) => process.send?.(reply))
})
