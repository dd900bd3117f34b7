using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Pulse.Conversations;
using Pulse.Web.Conversations;
using Pulse.Web.Silos;

namespace Pulse.Web.Tests.Conversations.Scripts;

/// <summary>The chat of one front end, as Pulse sets it up, without HTTP.</summary>
internal sealed class ScriptFrontEnd : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private ScriptFrontEnd(IClusterClient client, TimeProvider clock)
    {
        var services = new ServiceCollection().AddLogging().AddMetrics();
        services.AddSingleton(clock);
        services.AddSingleton<IGrainFactory>(client);
        services.AddSingleton<GrainReferences<IConversationGrain>>();
        services.AddSingleton<OpenConversations>();
        services.AddSingleton<ChatSockets>();
        services.AddSingleton<ChatSocketMetrics>();
        services.AddSingleton<InboxService>();
        services.AddHostedService(provider => provider.GetRequiredService<InboxService>());
        services.AddHostedService<SubscriptionRenewalService>();
        _services = services.BuildServiceProvider();
        Conversations = _services.GetRequiredService<OpenConversations>();
        Sockets = _services.GetRequiredService<ChatSockets>();
        Inbox = _services.GetRequiredService<InboxService>();
    }

    public OpenConversations Conversations { get; }

    public ChatSockets Sockets { get; }

    public InboxService Inbox { get; }

    public static async Task<ScriptFrontEnd> StartAsync(IClusterClient client, TimeProvider clock)
    {
        var frontEnd = new ScriptFrontEnd(client, clock);
        foreach (var service in frontEnd._services.GetServices<IHostedService>()) await service.StartAsync(default);
        return frontEnd;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in _services.GetServices<IHostedService>()) await service.StopAsync(default);
        await _services.DisposeAsync();
    }
}
