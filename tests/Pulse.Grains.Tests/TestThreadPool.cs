using System.Runtime.CompilerServices;

namespace Pulse.Grains.Tests;

internal static class TestThreadPool
{
    // The test host and xunit keep some of the pool's threads blocked permanently. On a machine with two cores none is left, and every
    // measured wait then includes the half second that the pool takes to add a thread. A silo has no such threads.
    [ModuleInitializer]
    internal static void LeaveSomeThreads() => ThreadPool.SetMinThreads(16, 16);
}
