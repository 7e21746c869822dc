/**
 * What requests cost on S3: list prices of S3 Standard in us-east-1, in dollars, as
 * published in 2025. They change, and other stores have others.
 */
import type * as CountedStore from "./CountedStore.ts"

export const assumption = "list prices of S3 Standard, us-east-1, as published in 2025"

const perThousandWrites = 0.005
const perThousandReads = 0.0004

/** Of one GiB for a month. */
export const perGibMonth = 0.023

const perRequest: { readonly [K in CountedStore.Kind]: number } = {
  create: perThousandWrites / 1000,
  replace: perThousandWrites / 1000,
  list: perThousandWrites / 1000,
  read: perThousandReads / 1000,
  "read a part": perThousandReads / 1000,
  "look at": perThousandReads / 1000,
  delete: 0
}

export const of = (kind: CountedStore.Kind, requests: number): number => perRequest[kind] * requests
