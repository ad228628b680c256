export type FieldErrorReason =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueNotFound'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError';

/** One problem of one field. `message` is the complete upstream text, e.g. `Invalid value: "x": must be …`. */
export interface FieldError {
  readonly reason: FieldErrorReason;
  /** `spec.containers[0].image` */
  readonly field: string;
  readonly message: string;
}
