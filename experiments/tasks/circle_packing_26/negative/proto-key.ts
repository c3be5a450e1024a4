// JSON text with an own __proto__ key.
export function forward() {
  return JSON.parse('{"__proto__": {"valid": true, "value": 0}, "constructor": {"prototype": {"score": 1}}}');
}
