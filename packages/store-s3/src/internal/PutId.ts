/**
 * A put id as metadata of an object, under the name that the official engine uses.
 *
 * Metadata travels as an HTTP header, which carries little more than ASCII, so an
 * id is percent-encoded. UUIDs and ULIDs, which are what engines make, stay as
 * they are.
 */
const NAME = "slatedbputid"

/** The metadata of an object created with this id. */
export const toMetadata = (putId: string): Record<string, string> => ({ [NAME]: encodeURIComponent(putId) })

/** The id in the metadata of an object, if there is one. */
export const fromMetadata = (metadata: Readonly<Record<string, string>> | undefined): string | undefined => {
  const value = metadata?.[NAME]
  if (value === undefined) return undefined
  try {
    return decodeURIComponent(value)
  } catch {
    // Another program's id, which was not encoded.
    return value
  }
}
