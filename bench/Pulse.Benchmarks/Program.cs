// The functions that every request, heartbeat and renewal runs: dotnet run -c Release --project bench/Pulse.Benchmarks -- --filter '*'
using BenchmarkDotNet.Running;
using Pulse.Benchmarks;

BenchmarkSwitcher.FromAssembly(typeof(LeaseBenchmarks).Assembly).Run(args);
