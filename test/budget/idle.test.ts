import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isolated } from '../support/isolated.ts';
import { type Machine, Machines, SkiffProcess, skiffProgram } from '../support/machines.ts';
import { Figures } from './figures.ts';
import { coldCopy, cpuSeconds, installedEnvironment, memory, processesBelow, writtenBytes } from './measure.ts';

/** The start is over, and the idle collector has looked twice. */
const settleMs = 45_000;
const cpuWindowMs = 60_000;
/** Once round of everything that is written now and then: status and leases. */
const writeWindowMs = 5 * 60_000;
const hourMs = 60 * 60_000;

/** Starts a Skiff from a copy of the program of its own: processes of one file share memory, which would flatter each. */
function startAlone(machine: Machine, args: readonly string[]): SkiffProcess {
  const program = coldCopy(skiffProgram, join(machine.folder, 'skiff'));
  const command = ['nsenter', `--net=/run/netns/${machine.name}`, program, ...args];
  return new SkiffProcess(command, join(machine.folder, 'skiff.log'), installedEnvironment());
}

isolated(import.meta.url, (place) => {
  describe('idle', () => {
    const machines = new Machines(place);
    const figures = new Figures();
    const processes: SkiffProcess[] = [];
    let pi1: Machine;
    let pi3: Machine;
    let server: SkiffProcess;
    let agent: SkiffProcess;

    // The agent has a server of its own, so that the server that is measured has one node.
    before(async () => {
      pi1 = machines.add('pi1');
      const pi2 = machines.add('pi2');
      pi3 = machines.add('pi3');
      const serverFlags = (machine: Machine): string[] => ['server', ...machine.flags, '--write-kubeconfig', machine.kubeconfig];
      server = startAlone(pi1, serverFlags(pi1));
      const other = startAlone(pi2, [...serverFlags(pi2), '--disable-agent']);
      const token = await pi2.nodeToken();
      agent = startAlone(pi3, ['agent', ...pi3.flags, '--server', `https://${pi2.ip}:6443`, '--token', token]);
      processes.push(agent, other, server);
      await pi1.nodeReady(pi1);
      await pi3.nodeReady(pi2);
      await sleep(settleMs);
    });
    after(async () => {
      figures.print();
      for (const process of processes) await process.stop();
      await machines.stop();
    });

    it('uses little CPU', async () => {
      const cpuBefore = [server, agent].map(({ pid }) => cpuSeconds(pid));
      await sleep(cpuWindowMs);
      const [ofServer, ofAgent] = [server, agent].map(
        ({ pid }, i) => ((cpuSeconds(pid) - cpuBefore[i]!) * 100_000) / cpuWindowMs,
      );
      figures.add('idleCpuServerPercent', ofServer!);
      figures.add('idleCpuAgentPercent', ofAgent!);
    });

    it('writes little', async () => {
      const watched = [
        ['skiff server', () => [server.pid]],
        ['its containerd', () => processesBelow(pi1.dataDir)],
        ['skiff agent', () => [agent.pid]],
        ['its containerd', () => processesBelow(pi3.dataDir)],
      ] as const;
      const bytes = (): number[] => watched.map(([, pids]) => pids().reduce((sum, pid) => sum + writtenBytes(pid), 0));
      const bytesBefore = bytes();
      await sleep(writeWindowMs);
      const anHour = bytes().map((now, i) => ((now - bytesBefore[i]!) * hourMs) / writeWindowMs);
      figures.add('idleWriteBytesPerHour', anHour[0]! + anHour[1]!, `skiff server ${anHour[0]} and its containerd ${anHour[1]}`);
      figures.remark(`written by an agent: skiff agent ${anHour[2]} and its containerd ${anHour[3]} bytes an hour`);
    });

    it('takes little memory', () => {
      const [ofServer, ofAgent] = [memory(server.pid), memory(agent.pid)];
      figures.add('idlePssServerAndAgentMb', ofServer.pssMb, `${ofServer.anonymousMb.toFixed(1)} of it anonymous`);
      figures.add('idlePssAgentMb', ofAgent.pssMb, `${ofAgent.anonymousMb.toFixed(1)} of it anonymous`);
    });

    it('keeps its budget', () => figures.check());
  });
});
