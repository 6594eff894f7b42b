const swc = {
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', decorators: true },
    transform: {
      legacyDecorator: true,
      decoratorMetadata: true,
      useDefineForClassFields: false,
      verbatimModuleSyntax: true,
    },
    keepClassNames: true,
  },
  module: { type: 'es6' },
};

const base = {
  testEnvironment: '<rootDir>/test/support/environment.mjs',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { swcrc: false, ...swc }] },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
};

const INTEGRATION = '.int.spec.ts$';

export default {
  coverageProvider: 'babel',
  // ES modules stay in memory after a suite ends; a worker over this size is replaced.
  maxWorkers: 2,
  workerIdleMemoryLimit: '512MB',
  collectCoverageFrom: ['lib/**/*.ts'],
  projects: [
    {
      ...base,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.spec.ts'],
      testPathIgnorePatterns: ['/node_modules/', '/test/consumers/', INTEGRATION],
    },
    {
      ...base,
      displayName: 'integration',
      testMatch: ['<rootDir>/test/**/*.int.spec.ts'],
      testPathIgnorePatterns: ['/node_modules/', '/test/consumers/'],
      globalSetup: '<rootDir>/test/support/consul/setup.mjs',
      globalTeardown: '<rootDir>/test/support/consul/teardown.mjs',
    },
  ],
};
