// Loaded into every process of the demo: when the demo is gone, however it went, its services follow.
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
