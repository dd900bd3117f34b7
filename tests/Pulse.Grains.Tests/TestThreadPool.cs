using System.Runtime.CompilerServices;

namespace Pulse.Grains.Tests;

internal static class TestThreadPool
{
    // The test host and xunit keep some of the pool's threads blocked for good. On a machine with two cores that leaves none, and every wait that a
    // test measures then has the half second in it that the pool takes to add one. A silo has no such threads.
    [ModuleInitializer]
    internal static void LeaveSomeThreads() => ThreadPool.SetMinThreads(16, 16);
}
