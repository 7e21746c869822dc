/**
 * How far a long command is: a bar that is drawn again and again on a terminal, a
 * plain line every few seconds elsewhere.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Figures from "./Figures.ts"
import { Screen } from "./Screen.ts"

export interface Progress {
  /** Tells how much is done, and which part of the whole that is. Draws only when it is time to. */
  readonly at: (done: number, fraction?: number, detail?: string) => Effect.Effect<void>
  /** Draws the last state and leaves it there. */
  readonly end: (done: number, fraction?: number) => Effect.Effect<void>
  /** Ends before the whole is done, with some words about it. */
  readonly leave: (text: string) => Effect.Effect<void>
  /** Says something in between, above what is drawn next. */
  readonly say: (text: string) => Effect.Effect<void>
}

const drawEveryMillis = { terminal: 100, plain: 2000 }

export const make = Effect.fnUntraced(function* (options: {
  readonly label: string
  /** What is counted, as `record`. A `byte` is told in larger units. */
  readonly noun: string
}): Effect.fn.Return<Progress, never, Screen> {
  const screen = yield* Screen
  const clock = yield* Clock.Clock
  const start = clock.currentTimeMillisUnsafe()
  const every = screen.isInteractive ? drawEveryMillis.terminal : drawEveryMillis.plain
  let drawn = start
  const draw = (state: Pick<State, "done" | "fraction" | "detail">, isLast: boolean): Effect.Effect<void> => {
    drawn = clock.currentTimeMillisUnsafe()
    const text = line({ ...options, ...state, millis: drawn - start, columns: screen.columns })
    return screen.note(screen.isInteractive ? `\r${text.padEnd(screen.columns - 1)}${isLast ? "\n" : ""}` : `${text}\n`)
  }
  return {
    at: (done, fraction, detail) =>
      Effect.suspend(() =>
        clock.currentTimeMillisUnsafe() - drawn < every ? Effect.void : draw({ done, fraction, detail }, false)
      ),
    end: (done, fraction) => Effect.suspend(() => draw({ done, fraction, detail: undefined }, true)),
    leave: (text) =>
      Effect.suspend(() => screen.note(`${screen.isInteractive && drawn !== start ? "\n" : ""}${text}\n`)),
    say: (text) => screen.note(screen.isInteractive ? `\r${text.padEnd(screen.columns - 1)}\n` : `${text}\n`)
  }
})

export interface State {
  readonly label: string
  readonly noun: string
  readonly done: number
  /** From 0 to 1; `undefined` when the whole is not known. */
  readonly fraction: number | undefined
  readonly detail: string | undefined
  readonly millis: number
  readonly columns: number
}

/** One state as text, shorter than the screen. */
export const line = ({ columns, detail, done, fraction, label, millis, noun }: State): string =>
  [
    label,
    ...(fraction === undefined ? [] : [bar(fraction), Figures.percent(fraction).padStart(5)]),
    noun === "byte" ? Figures.bytes(done) : Figures.counted(done, noun),
    `${noun === "byte" ? Figures.bytes(Figures.rate(done, millis)) : Figures.count(Figures.rate(done, millis))}/s`,
    ...(detail === undefined ? [] : [detail])
  ]
    .join("  ")
    .slice(0, columns - 1)

/** `[########------------]` */
export const bar = (fraction: number, width: number = 20): string => {
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * width)
  return `[${"#".repeat(full)}${"-".repeat(width - full)}]`
}
