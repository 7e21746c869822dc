/** A store on a fake server, quick to try again. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as S3ObjectStore from "../../src/S3ObjectStore.ts"
import * as FakeS3 from "./FakeS3.ts"

export const onFake = Effect.fnUntraced(function* (
  script: Iterable<FakeS3.Answer>,
  options: Partial<S3ObjectStore.Options> = {}
) {
  const fake = yield* FakeS3.make(script)
  const store = yield* S3ObjectStore.make({
    bucket: "bucket",
    prefix: "some/where",
    endpoint: fake.endpoint,
    credentials: { accessKeyId: "key", secretAccessKey: "secret" },
    retry: Schedule.recurs(4),
    ...options
  })
  return { fake, store }
})
