using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Pulse.Web.Hubs;

/// <summary>Sends the text of a <see cref="HubException"/> unchanged, with its code at the beginning.</summary>
/// <remarks>SignalR itself adds a sentence and the type's name in front.</remarks>
internal sealed class PlainErrorsProtocol(IHubProtocol inner) : IHubProtocol
{
    // The format of SignalR's ErrorMessageHelper: "An unexpected error occurred invoking 'SetStatus' on the server. HubException: …".
    private const string Mark = $"{nameof(HubException)}: ";

    public string Name => inner.Name;

    public int Version => inner.Version;

    public TransferFormat TransferFormat => inner.TransferFormat;

    public bool IsVersionSupported(int version) => inner.IsVersionSupported(version);

    public ReadOnlyMemory<byte> GetMessageBytes(HubMessage message) => inner.GetMessageBytes(WithPlainError(message));

    public void WriteMessage(HubMessage message, IBufferWriter<byte> output) => inner.WriteMessage(WithPlainError(message), output);

    public bool TryParseMessage(ref ReadOnlySequence<byte> input, IInvocationBinder binder, [NotNullWhen(true)] out HubMessage? message) =>
        inner.TryParseMessage(ref input, binder, out message);

    private static HubMessage WithPlainError(HubMessage message) => message switch
    {
        CompletionMessage { Error: { } error, InvocationId: { } id } when TryRead(error, out var plain) =>
            CompletionMessage.WithError(id, plain),
        // SignalR's answer to arguments that do not fit, such as a text with half a surrogate pair. It has no code of its own.
        CompletionMessage { Error: { } error, InvocationId: { } id } when error.StartsWith("Failed to invoke '", StringComparison.Ordinal)
            && error.EndsWith("due to an error on the server.", StringComparison.Ordinal) =>
            CompletionMessage.WithError(id, "invalid-argument: the arguments do not fit the method."),
        CloseMessage { Error: { } error } close when TryRead(error, out var plain) => new CloseMessage(plain, close.AllowReconnect),
        _ => message,
    };

    private static bool TryRead(string error, [NotNullWhen(true)] out string? plain)
    {
        var at = error.IndexOf(Mark, StringComparison.Ordinal);
        plain = at < 0 ? null : error[(at + Mark.Length)..];
        return plain is not null;
    }
}
