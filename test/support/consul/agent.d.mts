export interface AgentPorts {
  readonly http: number;
  readonly server: number;
  readonly serf: number;
}

export interface TestAgent {
  readonly url: string;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export function freePorts(): Promise<AgentPorts>;
export function startAgent(options?: {
  readonly hcl?: string;
  readonly ports?: AgentPorts;
}): Promise<TestAgent>;
