import type { ConformanceCase } from '../conformance.mjs';

export declare const TABLES: Readonly<Record<string, readonly ConformanceCase[]>>;
