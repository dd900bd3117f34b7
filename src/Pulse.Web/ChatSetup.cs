using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Pulse.Silo;
using Pulse.Web.Conversations;
using Pulse.Web.Http;

namespace Pulse.Web;

/// <summary>Sets up the chat of a front end.</summary>
internal static class ChatSetup
{
    /// <summary>Adds limits, policy, and what REST and hub have in common.</summary>
    public static void AddChat(this IHostApplicationBuilder builder)
    {
        builder.Services.AddChatOptions();
        builder.Services.AddChatDeadline();
        builder.Services.AddJson(ChatJson.Default);
        builder.Services.TryAddSingleton<IConversationPolicy, SignedInConversationPolicy>();
        builder.Services.AddSingleton<ChannelAccess>();
        builder.Services.AddSingleton<ChatLimits>();
        builder.Services.AddSingleton<ConversationCalls>();
        builder.Services.AddSingleton<OpenConversations>();
        builder.Services.AddSingleton<ChatSockets>();
        builder.Services.AddSingleton<LogIdentity>();
        builder.Services.AddHostedService(services => services.GetRequiredService<LogIdentity>());
        builder.Services.AddHostedService<SubscriptionRenewalService>();
        builder.Services.AddSingleton<InboxService>();
        builder.Services.AddHostedService(services => services.GetRequiredService<InboxService>());
        builder.Services.AddSingleton<ChatSocketMetrics>();
        builder.Services.AddSingleton<HubChat>();
        // After the hub's own filters, so that those see a refusal and no fault.
        builder.Services.PostConfigure<HubOptions>(hub => hub.AddFilter<ChatRefusalHubFilter>());
    }
}
