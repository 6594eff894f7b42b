export { Circuit } from './circuit.js';
export type { CircuitOptions, CircuitState, CircuitSwitch, CircuitView } from './circuit-view.js';
export { Circuits } from './circuits.js';
export { CircuitsContributor } from './circuits.contributor.js';
export type { CircuitChange, CircuitOpening } from './resilience.events.js';
export { ResilienceModule } from './resilience.module.js';
