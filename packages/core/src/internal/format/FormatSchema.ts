/**
 * A codec as a Schema from bytes to model: for tools and tests, which want what
 * a Schema brings (JSON, arbitraries, composition). The engine calls the codec.
 *
 * The bytes are decoded twice on the way in, first to see whether they can be;
 * and what is written is read again on the way out.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import type { FormatError } from "./FormatError.ts"

export const make = <A>(
  model: Schema.Codec<A>,
  codec: {
    readonly decode: (bytes: Uint8Array) => Result.Result<A, FormatError>
    readonly encode: (value: A) => Uint8Array
  }
): Schema.Codec<A, Uint8Array> => {
  const decodable = Schema.makeFilter((bytes: Uint8Array) =>
    Result.match(codec.decode(bytes), { onFailure: (error) => error.message, onSuccess: () => true })
  )
  return Schema.Uint8Array.check(decodable).pipe(
    Schema.decodeTo(
      model,
      SchemaTransformation.transform({
        decode: (bytes: Uint8Array) => Result.getOrThrow(codec.decode(bytes)),
        encode: codec.encode
      })
    )
  )
}
