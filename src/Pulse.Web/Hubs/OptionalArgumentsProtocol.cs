using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Pulse.Web.Connections;

namespace Pulse.Web.Hubs;

/// <summary>
/// Lets clients omit the last argument of <c>SetStatus(status, message?)</c>. SignalR itself requires every argument of a hub method.
/// </summary>
/// <remarks>It also reports every message to the <see cref="HubFlow"/>, because calls that fit no method never reach the hub.</remarks>
internal sealed class OptionalArgumentsProtocol(IHubProtocol inner) : IHubProtocol
{
    public string Name => inner.Name;

    public int Version => inner.Version;

    public TransferFormat TransferFormat => inner.TransferFormat;

    public bool IsVersionSupported(int version) => inner.IsVersionSupported(version);

    public ReadOnlyMemory<byte> GetMessageBytes(HubMessage message) => inner.GetMessageBytes(message);

    public void WriteMessage(HubMessage message, IBufferWriter<byte> output) => inner.WriteMessage(message, output);

    public bool TryParseMessage(ref ReadOnlySequence<byte> input, IInvocationBinder binder, [NotNullWhen(true)] out HubMessage? message)
    {
        var unread = input;
        if (!inner.TryParseMessage(ref input, binder, out message)) return false;
        if (HubFlow.Current is { } flow)
        {
            flow.CountFrame();
            // SignalR ends the connection on this message, but gives the hub no reason.
            if (message is CloseMessage) flow.SaidGoodbye = true;
        }

        // Only a call whose arguments failed to bind is parsed again, so that other calls keep their cost.
        if (message is InvocationBindingFailureMessage { Target: nameof(PresenceHub.SetStatus) }
            && inner.TryParseMessage(ref unread, new WithoutLast(binder), out var shorter)
            && shorter is InvocationMessage call)
        {
            message = new InvocationMessage(call.InvocationId, call.Target, [.. call.Arguments, null], call.StreamIds);
        }

        return true;
    }

    private sealed class WithoutLast(IInvocationBinder binder) : IInvocationBinder
    {
        public IReadOnlyList<Type> GetParameterTypes(string methodName) => [.. binder.GetParameterTypes(methodName).SkipLast(1)];

        public Type GetReturnType(string invocationId) => binder.GetReturnType(invocationId);

        public Type GetStreamItemType(string streamId) => binder.GetStreamItemType(streamId);
    }
}
