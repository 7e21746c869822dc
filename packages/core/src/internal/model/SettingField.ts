/**
 * The kinds of settings: each a codec from what people write to what the engine uses.
 *
 * The rule of a field is written once, as words, and every failure quotes it, so
 * that a message always names the bound: `must be a whole number from 1 to 64`.
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as DurationText from "./DurationText.ts"

export const flag: Schema.Codec<boolean> = Schema.Boolean.annotate({ message: "must be true or false" })

export const choice = <const Names extends ReadonlyArray<string>>(names: Names): Schema.Codec<Names[number]> =>
  Schema.Literals(names).annotate({ message: `must be one of ${names.join(", ")}` })

/** A whole number from `least` to `most`. */
export const whole = (least: number, most: number): Schema.Codec<number> =>
  number(`must be a whole number from ${least} to ${most}`, least, most, () => true)

/** A power of two from `least` to `most`. */
export const powerOfTwo = (least: number, most: number): Schema.Codec<number> =>
  number(`must be a power of two from ${least} to ${most}`, least, most, (value) => Number.isInteger(Math.log2(value)))

/** A duration from `least` to `most`. */
export const duration = (least: DurationText.Term, most: DurationText.Term) =>
  durationCodec(least, most, `must be ${durationRule(least, most)}`)

/** A duration within the bounds, or `null` for none. */
export const durationOrNull = (least: DurationText.Term, most: DurationText.Term) => {
  const message = `must be null, or ${durationRule(least, most)}`
  return Schema.Union([Schema.Null, durationCodec(least, most, message)]).annotate({ message })
}

const number = (
  message: string,
  least: number,
  most: number,
  isAllowed: (value: number) => boolean
): Schema.Codec<number> =>
  Schema.Number.annotate({ message }).check(
    Schema.makeFilter((value) => Number.isInteger(value) && value >= least && value <= most && isAllowed(value), {
      message
    })
  )

const durationRule = (least: DurationText.Term, most: DurationText.Term): string =>
  `a duration from ${least} to ${most}, such as 100ms, 5s or "2 minutes"`

const durationCodec = (
  least: DurationText.Term,
  most: DurationText.Term,
  message: string
): Schema.Codec<Duration.Duration, DurationText.Input> => {
  const isAllowed = Duration.between({ minimum: DurationText.of(least), maximum: DurationText.of(most) })
  return Schema.declare((value): value is DurationText.Input => DurationText.parse(value) !== undefined, {
    message
  }).pipe(
    Schema.decodeTo(
      Schema.Duration.check(Schema.makeFilter(isAllowed, { message })),
      SchemaTransformation.transform({
        decode: DurationText.of,
        encode: (value): DurationText.Input => DurationText.print(value)
      })
    )
  )
}
