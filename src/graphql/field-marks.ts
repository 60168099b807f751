/** `@Extensions(JUDGES_ACCESS)`: the service judges the caller's access by itself and answers it as a refusal. */
export const JUDGES_ACCESS = { access: 'JUDGED_BY_SERVICE' } as const;
/** `@Extensions(OPEN_IN_OUTAGE)`: what staff need while the database is away lets in whose status cannot be read. */
export const OPEN_IN_OUTAGE = { access: 'OPEN_IN_OUTAGE' } as const;
/** `@Extensions(UNSHARED)`: what may never wait behind lists, the redemption. */
export const UNSHARED = { unshared: true } as const;
/** `@Extensions(SIGNS_STAFF_IN)`: the caller proves who it is; what that changes is recorded as theirs. */
export const SIGNS_STAFF_IN = { signsStaffIn: true } as const;
