// What a device may not do in its pool, and why.

export interface NotAllowed {
  readonly code: 'not-allowed';
  readonly reason:
    /** Readers store and remove nothing. */
    | 'reader'
    /** Members remove only what their own device stored. */
    | 'file-of-another'
    | 'private-name'
    | 'admins-only'
    /** Only for who began the pool, or recovered it. */
    | 'first-admins-only'
    /** The same, of parts of a pool that become one. */
    | 'first-admins-join'
    /** While this part of the pool offers to be taken in: what an admin removes would not count there. */
    | 'offered'
    /** The other device is an admin of the same rank or above. */
    | 'above'
    /** Nobody changes its own role. */
    | 'self'
    /** The last admin leaves behind nobody who may admit others. */
    | 'last-admin'
    /** The last device of rank 0 leaves behind nobody who may make codes, or act on admins, and no code. */
    | 'no-code'
    /** The pool has no charter. */
    | 'no-roles'
    /** The charter does not name this device. */
    | 'not-named'
    | 'shut-out'
    /** Nobody admitted this device, as far as it knows. */
    | 'not-in'
    /** Private files open by their links, which Palm does not keep: nobody can store them anew. */
    | 'private-file'
    /** Somebody who was shut out may have the keys that files would be stored under now. */
    | 'keys-known';
}
