-- A dissector of HEPv3 for Wireshark and tshark:
--   tshark -X lua_script:hep.lua -d udp.port==9060,hep3 ...
-- Payloads go on to Wireshark's own dissectors: SIP to sip, events to json.

local hep3 = Proto("hep3", "HEPv3")
local f = hep3.fields

f.length = ProtoField.uint16("hep3.length", "Length")
f.chunk = ProtoField.uint16("hep3.chunk", "Chunk", base.HEX)
f.other = ProtoField.bytes("hep3.other", "Unknown chunk")

local chunks = {
  [0x01] = { ProtoField.uint8("hep3.family", "Family"), 1 },
  [0x02] = { ProtoField.uint8("hep3.protocol", "Protocol"), 1 },
  [0x03] = { ProtoField.ipv4("hep3.src4", "Source"), 4 },
  [0x04] = { ProtoField.ipv4("hep3.dst4", "Destination"), 4 },
  [0x05] = { ProtoField.ipv6("hep3.src6", "Source"), 16 },
  [0x06] = { ProtoField.ipv6("hep3.dst6", "Destination"), 16 },
  [0x07] = { ProtoField.uint16("hep3.srcport", "Source port"), 2 },
  [0x08] = { ProtoField.uint16("hep3.dstport", "Destination port"), 2 },
  [0x09] = { ProtoField.uint32("hep3.sec", "Seconds"), 4 },
  [0x0a] = { ProtoField.uint32("hep3.usec", "Microseconds"), 4 },
  [0x0b] = { ProtoField.uint8("hep3.type", "Payload type", base.HEX), 1 },
  [0x0c] = { ProtoField.uint32("hep3.capture", "Capture id"), 4 },
  [0x0e] = { ProtoField.string("hep3.key", "Authentication key") },
  [0x0f] = { ProtoField.string("hep3.payload", "Payload") },
  [0x11] = { ProtoField.string("hep3.correlation", "Correlation id") },
}
for kind, chunk in pairs(chunks) do
  f["chunk" .. kind] = chunk[1]
end

local bad = ProtoExpert.new("hep3.bad", "Malformed chunk", expert.group.MALFORMED, expert.severity.ERROR)
hep3.experts = { bad }

local function packet(tvb, pinfo, tree)
  pinfo.cols.protocol = "HEP3"
  local t = tree:add(hep3, tvb())
  t:add(f.length, tvb(4, 2))
  local at, type, payload = 6, 0, nil
  while at < tvb:len() do
    local left = tvb:len() - at
    local size = left >= 6 and tvb(at + 4, 2):uint() or 0
    if size < 6 or size > left then
      t:add_proto_expert_info(bad)
      return tvb:len()
    end
    local vendor, kind = tvb(at, 2):uint(), tvb(at + 2, 2):uint()
    local c = t:add(f.chunk, tvb(at, size), kind)
    local known = vendor == 0 and chunks[kind]
    if not known then
      c:add(f.other, tvb(at, size))
    elseif known[2] and known[2] ~= size - 6 then
      c:add_proto_expert_info(bad)
    elseif size > 6 then
      c:add(known[1], tvb(at + 6, size - 6))
      if kind == 0x0b then type = tvb(at + 6, 1):uint() end
      if kind == 0x0f then payload = tvb(at + 6, size - 6):tvb() end
    end
    at = at + size
  end
  if payload and type == 0x01 then
    Dissector.get("sip"):call(payload, pinfo, tree)
  elseif payload and type == 0x59 and payload(0, 1):string() == "{" then
    Dissector.get("json"):call(payload, pinfo, tree)
  end
  return tvb:len()
end

local function length(tvb, _, at)
  return tvb(at + 4, 2):uint()
end

function hep3.dissector(tvb, pinfo, tree)
  if tvb:len() >= 4 and tvb(0, 4):string() ~= "HEP3" then
    return 0
  end
  if pinfo.port_type == 2 then -- TCP: whole packets out of the stream
    dissect_tcp_pdus(tvb, tree, 6, length, packet)
    return tvb:len()
  end
  return packet(tvb, pinfo, tree)
end

DissectorTable.get("udp.port"):add(9060, hep3)
DissectorTable.get("tcp.port"):add(9060, hep3)
