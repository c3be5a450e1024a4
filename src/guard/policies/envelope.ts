/** Bounds of ordinary behaviour. @see protocol, "The guard's order" */
export interface EnvelopeSettings {
  /** Length of a tumbling window. @default 300 000 */
  readonly windowMs: number;
  /** Active windows before anything is judged. @default 10 */
  readonly coldWindows: number;
  /** Spread of a count beyond which it is an anomaly. @default 3.5 */
  readonly sigmas: number;
  /** Change of a kind's share that is a shift. @default 0.5 */
  readonly shareShift: number;
  /** Marks that a window must hold before shares are compared. */
  readonly minVolume: number;
  /** Agents on one topic in a window that make a concentration (flagged, not restricted). @default 3 */
  readonly concentration: number;
  /** Anomalies after which an agent is restricted everywhere. @default 3 */
  readonly globalAfter: number;
}
