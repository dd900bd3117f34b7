using System.Runtime.InteropServices;

namespace Pulse.Web.Connections;

/// <summary>Stops the process on a signal: after a <see cref="Drain"/> on SIGTERM, at once on Ctrl+C or a second signal.</summary>
/// <remarks>Replaces the framework's console lifetime, at whose signal SignalR closes all sockets at the same instant.</remarks>
internal sealed class DrainingLifetime(Drain drain, IHostApplicationLifetime lifetime) : IHostLifetime, IDisposable
{
    private readonly List<PosixSignalRegistration> _registrations = [];

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, Leave));
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop));
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGQUIT, Stop));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _registrations.ForEach(registration => registration.Dispose());

    private void Leave(PosixSignalContext signal)
    {
        signal.Cancel = true;
        if (drain.IsLeaving || !lifetime.ApplicationStarted.IsCancellationRequested) lifetime.StopApplication();
        else _ = LeaveAsync();
    }

    private void Stop(PosixSignalContext signal)
    {
        signal.Cancel = true;
        lifetime.StopApplication();
    }

    private async Task LeaveAsync()
    {
        try
        {
            await drain.RunAsync(lifetime.ApplicationStopping);
        }
        catch (OperationCanceledException)
        {
            // A second signal has arrived.
        }
        finally
        {
            lifetime.StopApplication();
        }
    }
}
