/**
 * Errors of the store and of the formats, in the words of the database: the one
 * place where they are translated.
 */
import * as DbError from "../../DbError.ts"
import type { ObjectStoreError } from "../../ObjectStore.ts"
import type { FormatError } from "../format/FormatError.ts"

/** A request failed in a way that its caller has no answer for. */
export const fromStore = (error: ObjectStoreError): DbError.DbError => {
  const { operation, path } = error.reason
  switch (error.reason._tag) {
    case "Unavailable":
      return DbError.fail(new DbError.Unavailable({ operation, path, cause: error }))
    case "NotFound":
      return DbError.fail(
        new DbError.Corrupt({ object: path, offset: 0, expected: "an object", found: "nothing", cause: error })
      )
    case "Unsupported":
      return DbError.fail(new DbError.Unsupported({ what: "object store", detail: error.message, cause: error }))
    case "AlreadyExists":
    case "Denied":
    case "Invalid":
      return DbError.fail(new DbError.Invalid({ field: "object store", detail: error.message, cause: error }))
  }
}

/** The bytes of an object could not be understood. */
export const fromFormat =
  (object: string) =>
  (error: FormatError): DbError.DbError =>
    DbError.fail(
      error.kind === "unsupported"
        ? new DbError.Unsupported({
            what: error.part,
            detail: `object=${object} supported=${error.expected} found=${error.found}`,
            cause: error
          })
        : new DbError.Corrupt({
            object,
            offset: error.offset,
            expected: `${error.part}: ${error.expected}`,
            found: error.found,
            cause: error
          })
    )

/** Tables are, or are to be, stored with a codec that no layer provides. */
export const missingCodec = (codec: string): DbError.DbError =>
  DbError.fail(
    new DbError.Unsupported({
      what: `compression codec ${codec}`,
      detail: "no layer provides it; add NodeCompression.layer of @effect-slatedb/platform-node"
    })
  )
