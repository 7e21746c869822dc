/**
 * Where a command writes: results to standard output, all else to standard error.
 *
 * A pipe that is full makes the command wait; one whose reader has left ends it,
 * quietly, as `slate scan | head` should.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

export class Screen extends Context.Service<
  Screen,
  {
    /** Writes text to standard output. */
    readonly write: (text: string) => Effect.Effect<void>
    /** Writes text to standard error. */
    readonly note: (text: string) => Effect.Effect<void>
    /** Whether standard output is a terminal. */
    readonly isTerminal: boolean
    /** Whether standard error is one, on which a line can be drawn again. */
    readonly isInteractive: boolean
    /** Width to keep to: 80 where nobody says. */
    readonly columns: number
  }
>()("@effect-slatedb/cli/Screen") {}

export const write = (text: string) => Effect.flatMap(Screen, (screen) => screen.write(text))

/** Writes lines to standard output. */
export const lines = (...texts: ReadonlyArray<string>) => write(texts.map((text) => `${text}\n`).join(""))

/** Writes a line to standard error. */
export const note = (text: string) => Effect.flatMap(Screen, (screen) => screen.note(`${text}\n`))

export const layer: Layer.Layer<Screen> = Layer.sync(Screen, () => ({
  write: (text) => writeTo(process.stdout, text),
  note: (text) => writeTo(process.stderr, text),
  isTerminal: process.stdout.isTTY === true,
  isInteractive: process.stderr.isTTY === true,
  columns: (process.stdout.isTTY ? process.stdout.columns : undefined) ?? 80
}))

const writeTo = (stream: NodeJS.WriteStream, text: string): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (!watched.has(stream)) {
      watched.add(stream)
      // A failed write is reported to its callback, below; an unheard event would end the process.
      stream.on("error", () => {})
    }
    stream.write(text, (error) => {
      // Nobody reads any more: stop in good order.
      resume(error === null || error === undefined ? Effect.void : Effect.interrupt)
    })
  })

const watched = new WeakSet<NodeJS.WriteStream>()
