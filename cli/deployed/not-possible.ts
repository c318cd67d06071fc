/**
 * Why something cannot be done with what is deployed, or with the permissions of the caller. Others may be done
 * nevertheless.
 */
export class NotPossible extends Error {}
