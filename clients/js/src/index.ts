/**
 * `@milepost/client`: follow a collection of a Milepost server into a local replica, edit it offline,
 * push edits with preconditions, lose nothing.
 *
 * Most programs need {@link openCollection} and one of the replicas. {@link Walk} is the algorithm
 * alone, without I/O, for other transports and stores.
 */

export { Collection, ClosedError, openCollection } from "./collection.js";
export type { Change, OpenOptions, Status } from "./collection.js";
export type { Choice, Conflict, Document } from "./document.js";
export { memoryReplica } from "./memory.js";
export { deleteIndexedDbReplica, indexedDbReplica, StorageError } from "./indexeddb.js";
export { ForeignLinkError, UsageError, type Filter, type FilterValue } from "./links.js";
export { SetDigest, hashOf } from "./digest.js";
export { merge, type Merged } from "./merge.js";
export { parsePage, parseProblem, WireError, type Page, type Problem } from "./wire.js";
export { Walk, type Answer, type Apply, type Ask, type Pause, type WalkOptions, type Why } from "./walk.js";
export type { Applied, EditChange, Item, Replica, Standing, Step } from "./replica.js";
export type { Edit, Version } from "./edits.js";
export type { Clock } from "./clock.js";
